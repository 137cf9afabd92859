import { knowMirrored } from "../mirrored";

knowMirrored();
