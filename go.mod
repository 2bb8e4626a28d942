module github.com/holdfast-flags/holdfast

go 1.26.0

require github.com/sony/gobreaker/v2 v2.4.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/twmb/murmur3 v1.1.8
	go.uber.org/goleak v1.3.0
	go.yaml.in/yaml/v3 v3.0.4
)

require github.com/kr/text v0.2.0 // indirect
