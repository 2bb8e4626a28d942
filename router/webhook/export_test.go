package webhook

// Early returns options of a hook whose cursors move on before the delivery.
func (o Options) Early() Options {
	o.early = true
	return o
}
