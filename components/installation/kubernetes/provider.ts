/** How Pulumi's provider is to speak to a cluster of ours, whatever the platform. */
export const PROVIDER = {
  enableServerSideApply: true,
  // Else a ConfigMap is replaced by one of another name when it changes.
  enableConfigMapMutable: true,
  // Seconds for one request. It has no limit of its own: of an API that stands still it learns after a minute that
  // nobody answers its pings, but never where a proxy before that answers them. As long as an API server tries itself.
  kubeClientSettings: { timeout: 60 },
};

/**
 * Annotations of an object that is this program's alone and changes in a recovery. Each creation has a field manager of
 * its own: a run that ended after it had created the object, and before it could record that, leaves the fields to one
 * that no run is any more, and every later change would be refused as a conflict with it.
 */
export const OURS_ALONE = { "pulumi.com/patchForce": "true" };
