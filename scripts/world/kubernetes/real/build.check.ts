import { prepareKubernetes } from "./prepare";
prepareKubernetes({ log: console.log }).then(console.log, console.error);
