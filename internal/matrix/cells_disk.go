package matrix

var diskCells = []Cell{}
