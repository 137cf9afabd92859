import pulumi from "@pulumi/eslint-plugin";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** What stands on what: a file imports from its own layer and from those before it. */
const LAYERS = [
  "components/base",
  "components/generations",
  "components/settings",
  "components/clients",
  "components/stack",
  "components/installation",
  "components/recovery",
  "components/*.ts",
];

/** What rehearses and tests, and what an operator runs: of these neither knows the first. */
const REHEARSAL = ["world", "test", "scripts/drill", "scripts/bench", "scripts/test"];
const OPERATION = [
  "components",
  "scripts/operator",
  ...["up", "failover", "failback"].map((verb) => `scripts/${verb}.ts`),
];

const RECOVERY = "components/recovery";

/**
 * Within the recovery: a session, checks of what is there, and providers, which know no other provider. What two of
 * them share is a check.
 */
const RECOVERY_ZONES = [
  { target: `${RECOVERY}/session.ts`, from: `${RECOVERY}/checks` },
  { target: `${RECOVERY}/checks`, from: `${RECOVERY}/providers` },
  {
    target: `${RECOVERY}/providers`,
    from: `${RECOVERY}/providers`,
    except: ["./behaviour.ts"],
    message: "a provider knows no other: what they share is a check",
  },
];

const zones = [
  ...LAYERS.flatMap((target, place) =>
    LAYERS.slice(place + 1).map((from) => ({ target, from, message: `${target} stands below it` })),
  ),
  ...OPERATION.flatMap((target) =>
    REHEARSAL.map((from) => ({ target, from, message: "an operator's run knows no rehearsal" })),
  ),
  { target: "components", from: "scripts", message: "the program stands below its commands" },
  ...REHEARSAL.filter((from) => from !== "world").map((from) => ({
    target: "world",
    from,
    message: "what drills and tests run on stands below them",
  })),
  ...RECOVERY_ZONES,
].map(({ target, from, ...rest }) => ({ target: `./${target}`, from: `./${from}`, ...rest }));

export default tseslint.config({ ignores: ["node_modules/"] }, ...tseslint.configs.recommended, {
  files: ["**/*.ts"],
  languageOptions: { parserOptions: { project: "./tsconfig.check.json" } },
  plugins: { "@pulumi": pulumi, import: importX },
  settings: {
    "import-x/extensions": [".ts", ".js"],
    "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
    "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js"] })],
  },
  rules: {
    "@pulumi/no-output-in-template-literal": "error",
    "@typescript-eslint/no-floating-promises": "error",
    "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
    "import/no-cycle": "error",
    "import/no-restricted-paths": ["error", { zones }],
    "no-empty": "error",
    curly: ["error", "all"],
    eqeqeq: "error",
  },
});
