package testenv

import "syscall"

// procAttr puts a child into a process group of its own, so that a ^C meant for
// the tests does not reach it before they do, and lets it die with us.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
