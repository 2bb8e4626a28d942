package matrix

var routerCells = []Cell{}
