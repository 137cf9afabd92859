// Package kubernetes has what the provider takes of its SDK for Go. That SDK is two thirds of the provider's
// build, and used by components (Chart v4, ConfigGroup, Kustomize) that this project does not declare: here
// they compile, and refuse.
package kubernetes

import "reflect"

// UntypedArgs are the inputs of any object.
type UntypedArgs map[string]any

// ElementType is what inputs of Pulumi tell.
func (UntypedArgs) ElementType() reflect.Type {
	return reflect.TypeFor[map[string]any]()
}
