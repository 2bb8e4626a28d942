package matrix

var famousCells = []Cell{}
