import { RuleCases, resource } from "../resources";

const awsProvider = resource("pulumi:providers:aws", { region: "eu-west-2" });

/** Of the rules in policies/rules/stateBackend.ts, by name. */
export const STATE_BACKEND: Record<string, RuleCases> = {
  "state-backend-elsewhere": {
    breaks: [
      [
        "this region",
        [awsProvider],
        /the state backend is in eu-west-2/,
        { backendUrl: "s3://state?region=eu-west-2" },
      ],
      [
        "the other region",
        [awsProvider],
        /the state backend is in eu-west-3/,
        { backendUrl: "s3://state?region=eu-west-3", awsRegions: ["eu-west-2", "eu-west-3"] },
      ],
      [
        "the region of the environment",
        [awsProvider],
        /is in eu-west-2/,
        { backendUrl: "s3://state", defaultAwsRegion: "eu-west-2" },
      ],
      [
        "an endpoint of this region",
        [awsProvider],
        /is in eu-west-2/,
        { backendUrl: "s3://state?region=us-east-1&endpoint=s3.eu-west-2.amazonaws.com" },
      ],
    ],
    keeps: [
      [
        "a third region",
        [awsProvider],
        { backendUrl: "s3://state?region=eu-central-1", awsRegions: ["eu-west-3"] },
      ],
      ["Pulumi Cloud", [awsProvider], { backendUrl: "https://api.pulumi.com" }],
      ["another cloud", [awsProvider], { backendUrl: "gs://state", defaultAwsRegion: "eu-west-2" }],
      [
        "a store of one's own",
        [awsProvider],
        { backendUrl: "s3://state?endpoint=minio.example&region=eu-west-2" },
      ],
      ["an address that is not seen", [awsProvider]],
    ],
  },
};
