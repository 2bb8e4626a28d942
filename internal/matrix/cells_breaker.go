package matrix

var breakerCells = []Cell{}
