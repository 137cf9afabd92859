import { CAMUNDA_8_6 } from "./8.6";
import type { Generation } from "./generation";

/**
 * 8.7: the procedure, the management API and the objects of 8.6. What differs is what is installed, which patches are
 * safe, and how connectors are told of Operate. Read in its charts and documentation; no broker of it was run.
 */
export const CAMUNDA_8_7: Generation = {
  ...CAMUNDA_8_6,
  versions: { minor: "8.7", patch: 30 },
  charts: {
    ...CAMUNDA_8_6.charts,
    camunda: { ...CAMUNDA_8_6.charts.camunda, version: "12.13.3" },
  },
  // 8.7 asks for Elasticsearch 8.16 or later: the tag of its own chart.
  elasticsearchImages: {
    ...CAMUNDA_8_6.elasticsearchImages,
    image: { ...CAMUNDA_8_6.elasticsearchImages.image, tag: "8.17.4" },
  },
  connectorsEnv: (operate) => ({
    OPERATE_CLIENT_PROFILE: "simple",
    OPERATE_CLIENT_BASEURL: operate,
    OPERATE_CLIENT_USERNAME: "demo",
    OPERATE_CLIENT_PASSWORD: "demo",
  }),
};
