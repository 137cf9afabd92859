import { generationOf } from "../../components/generations";

/** The ids of the brokers, as most tests have them. */
export const IDS = generationOf("8.6").ids;
