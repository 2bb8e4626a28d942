package matrix

var sessionCells = []Cell{}
