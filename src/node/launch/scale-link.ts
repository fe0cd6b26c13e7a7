/** What workers are taken to reach one another by where nothing is declared or measured: ordinary Ethernet. */
export const DEFAULT_LINK = { gigabits: 10, microseconds: 50 };
