import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link CamundaNamespace}. */
export interface CamundaNamespaceArgs {
  /** Its name. Each region has another: DNS tells the regions apart by it. */
  name: string;
}

/**
 * The namespace of a region's Camunda. Deleting it deletes the volumes of brokers and of Elasticsearch with
 * it, which an uninstalled Helm release leaves behind: a recreated region must begin empty.
 */
export class CamundaNamespace extends pulumi.ComponentResource {
  /** Its name, known when it is there. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: CamundaNamespaceArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:kubernetes:CamundaNamespace", name, {}, options);
    const namespace = new core.Namespace(
      name,
      { metadata: { name: args.name } },
      // A component's own dependencies order its children's creation only, not their deletion.
      { parent: this, dependsOn: options?.dependsOn },
    );
    this.name = namespace.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
