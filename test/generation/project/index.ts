// The project with one more generation, for the engine: what the repository's own index.ts is.
import "../../../components/loader.js";
import "./known";
import { program } from "../../../components/program";

export = program;
