// Package platform is what the operator knows of the Kubernetes it runs on and of the images it was released with, as
// one value that is read once at start. Everything that decides takes the value; nothing else reads the environment.
package platform
