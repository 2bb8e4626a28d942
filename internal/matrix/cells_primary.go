package matrix

var primaryCells = []Cell{}
