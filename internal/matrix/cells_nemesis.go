package matrix

var nemesisCells = []Cell{}
