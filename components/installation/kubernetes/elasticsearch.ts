import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { ELASTICSEARCH_RELEASE } from "../../generations/objects";
import { elasticsearchValues, S3_KEYS, S3_KEYS_SECRET } from "../camunda/helmValues";
import type { InstalledSettings } from "../../settings";
import { helmRelease } from "./release";

export { ELASTICSEARCH_SERVICE_ACCOUNT } from "../camunda/helmValues";

/** Arguments of {@link Elasticsearch}. */
export interface ElasticsearchArgs {
  settings: InstalledSettings;
  /** Where it is installed. */
  namespace: pulumi.Input<string>;
  /** Description of the release: see `FoundReleases`. */
  description?: string | undefined;
  /** Tag of the image that its data is of; none where it has none. */
  data?: string | undefined;
  /** Role that its service account takes for S3 (`eks`). Without it, keys or a repository of the user's own. */
  roleArn?: pulumi.Input<string>;
}

/**
 * A region's Elasticsearch: a Helm release of its own, so that an upgrade of Camunda does not touch the
 * database. Its backups go to S3 with the role of its service account; keys, where they are given, lie in a
 * Secret and reach the keystore when a pod starts (after a change of the keys: restart the StatefulSet).
 *
 * Deleting it leaves the volumes until the namespace is deleted.
 */
export class Elasticsearch extends pulumi.ComponentResource {
  constructor(name: string, args: ElasticsearchArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:kubernetes:Elasticsearch", name, {}, options);
    const { settings, namespace, roleArn, description, data } = args;
    const { charts, s3Keys } = settings.installation;
    // A component's own dependencies order its children's creation only, not their deletion.
    const before = options?.dependsOn ?? [];
    const secrets =
      s3Keys === undefined
        ? []
        : [
            new core.Secret(
              `${name}-s3-keys`,
              {
                metadata: { name: S3_KEYS_SECRET, namespace },
                stringData: pulumi.secret({
                  [S3_KEYS.access]: s3Keys.accessKey,
                  [S3_KEYS.secret]: s3Keys.secretKey,
                }),
              },
              { parent: this },
            ),
          ];
    helmRelease(
      name,
      {
        release: ELASTICSEARCH_RELEASE,
        chart: charts.elasticsearch,
        namespace,
        description,
        values: pulumi
          .output(roleArn)
          .apply((arn) => elasticsearchValues(settings, { roleArn: arn, data })),
      },
      {
        parent: this,
        dependsOn: pulumi.all([before, secrets]).apply(([all, own]) => [...[all].flat(), ...own]),
      },
    );
    this.registerOutputs({});
  }
}
