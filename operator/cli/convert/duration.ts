/** Durations as Go writes them (time.ParseDuration). */

const GO_DURATION = /^\+?(0|(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/;

/** `90s`, `1m30s`, `0`; negative ones have no use here. */
export const isDuration = (text: string): boolean => GO_DURATION.test(text);

/** Whether it lasts no time at all, however it is written. */
export const isZeroDuration = (text: string): boolean => isDuration(text) && !/[1-9]/.test(text);
