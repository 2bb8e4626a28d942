// Package browsertest tests the admin page as people have it: in a browser, from a
// router that serves it.
package browsertest
