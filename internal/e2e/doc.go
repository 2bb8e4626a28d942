// Package e2e runs the shipped programs as users do: real processes, a real
// Redis, a real MongoDB-protocol server and an application with the SDK. It has
// tests only.
package e2e
