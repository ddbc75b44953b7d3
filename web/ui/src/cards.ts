// Contents of cards, for hosts that have them.
export { CauseCard } from "./cards/cause";
export { default as ErrorsCard } from "./cards/errors";
export { default as HealthCard } from "./cards/health";
