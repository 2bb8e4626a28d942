package matrix

var cacheCells = []Cell{}
