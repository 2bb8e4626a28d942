package matrix

var loadCells = []Cell{}
