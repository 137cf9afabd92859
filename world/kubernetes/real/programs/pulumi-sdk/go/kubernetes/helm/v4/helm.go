// Package v4 has the types of the component Chart.
package v4

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// RepositoryOpts say where a chart comes from.
type RepositoryOpts struct {
	CaFile   pulumi.AssetOrArchive
	CertFile pulumi.AssetOrArchive
	KeyFile  pulumi.AssetOrArchive
	Username *string
	Password *string
	Repo     *string
}

// RepositoryOptsInput is an input for RepositoryOpts.
type RepositoryOptsInput interface{ pulumi.Input }

// PostRenderer is a command that changes what a chart renders.
type PostRenderer struct {
	Command string
	Args    []string
}

// PostRendererInput is an input for PostRenderer.
type PostRendererInput interface{ pulumi.Input }
