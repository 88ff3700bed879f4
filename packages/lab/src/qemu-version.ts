export type QemuVersion = readonly [number, number, number];

export function parseQemuVersion(text: string): QemuVersion | undefined {
  const match = /version (\d{1,4})\.(\d{1,4})\.(\d{1,4})/u.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function isAtLeast(version: QemuVersion, oldest: readonly [number, number]): boolean {
  return version[0] > oldest[0] || (version[0] === oldest[0] && version[1] >= oldest[1]);
}
