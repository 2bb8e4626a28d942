//go:build unix && !linux

package testenv

import "syscall"

// procAttr puts a child into a process group of its own. There is no
// parent-death signal here; a child that minds its standard input ends with us.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
