package matrix

var outageCells = []Cell{}
