// First: it decides how the others are loaded. This file alone is compiled in every run.
import "./components/loader.js";
import { program } from "./components/program";

export = program;
