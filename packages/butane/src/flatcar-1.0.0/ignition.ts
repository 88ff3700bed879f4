/** Generated from schema.ts: `BUTANE_RECORD=1 node --test packages/butane/src/schema`. */

export type Dropin = {
  readonly contents?: string;
  readonly name: string;
};

export type Unit = {
  readonly contents?: string;
  readonly dropins?: readonly Dropin[];
  readonly enabled?: boolean;
  readonly mask?: boolean;
  readonly name: string;
};

export type Systemd = {
  readonly units?: readonly Unit[];
};

export type Raid = {
  readonly devices?: readonly string[];
  readonly level?: string;
  readonly name: string;
  readonly options?: readonly string[];
  readonly spares?: number;
};

export type Tang = {
  readonly thumbprint?: string;
  readonly url: string;
};

export type ClevisCustom = {
  readonly config?: string;
  readonly needsNetwork?: boolean;
  readonly pin?: string;
};

export type Clevis = {
  readonly custom?: ClevisCustom;
  readonly tang?: readonly Tang[];
  readonly threshold?: number;
  readonly tpm2?: boolean;
};

export type Luks = {
  readonly clevis?: Clevis;
  readonly device?: string;
  readonly keyFile?: Resource;
  readonly label?: string;
  readonly name: string;
  readonly options?: readonly string[];
  readonly uuid?: string;
  readonly wipeVolume?: boolean;
};

export type Link = {
  readonly group?: NodeOwner;
  readonly overwrite?: boolean;
  readonly path: string;
  readonly user?: NodeOwner;
  readonly hard?: boolean;
  readonly target?: string;
};

export type Filesystem = {
  readonly device: string;
  readonly format?: string;
  readonly label?: string;
  readonly mountOptions?: readonly string[];
  readonly options?: readonly string[];
  readonly path?: string;
  readonly uuid?: string;
  readonly wipeFilesystem?: boolean;
};

export type File = {
  readonly group?: NodeOwner;
  readonly overwrite?: boolean;
  readonly path: string;
  readonly user?: NodeOwner;
  readonly append?: readonly Resource[];
  readonly contents?: Resource;
  readonly mode?: number;
};

export type Partition = {
  readonly guid?: string;
  readonly label?: string;
  readonly number?: number;
  readonly resize?: boolean;
  readonly shouldExist?: boolean;
  readonly sizeMiB?: number;
  readonly startMiB?: number;
  readonly typeGuid?: string;
  readonly wipePartitionEntry?: boolean;
};

export type Disk = {
  readonly device: string;
  readonly partitions?: readonly Partition[];
  readonly wipeTable?: boolean;
};

export type NodeOwner = {
  readonly id?: number;
  readonly name?: string;
};

export type Directory = {
  readonly group?: NodeOwner;
  readonly overwrite?: boolean;
  readonly path: string;
  readonly user?: NodeOwner;
  readonly mode?: number;
};

export type Storage = {
  readonly directories?: readonly Directory[];
  readonly disks?: readonly Disk[];
  readonly files?: readonly File[];
  readonly filesystems?: readonly Filesystem[];
  readonly links?: readonly Link[];
  readonly luks?: readonly Luks[];
  readonly raid?: readonly Raid[];
};

export type PasswdUser = {
  readonly gecos?: string;
  readonly groups?: readonly string[];
  readonly homeDir?: string;
  readonly name: string;
  readonly noCreateHome?: boolean;
  readonly noLogInit?: boolean;
  readonly noUserGroup?: boolean;
  readonly passwordHash?: string;
  readonly primaryGroup?: string;
  readonly sshAuthorizedKeys?: readonly string[];
  readonly shell?: string;
  readonly shouldExist?: boolean;
  readonly system?: boolean;
  readonly uid?: number;
};

export type PasswdGroup = {
  readonly gid?: number;
  readonly name: string;
  readonly passwordHash?: string;
  readonly shouldExist?: boolean;
  readonly system?: boolean;
};

export type Passwd = {
  readonly groups?: readonly PasswdGroup[];
  readonly users?: readonly PasswdUser[];
};

export type KernelArguments = {
  readonly shouldExist?: readonly string[];
  readonly shouldNotExist?: readonly string[];
};

export type Timeouts = {
  readonly httpResponseHeaders?: number;
  readonly httpTotal?: number;
};

export type Tls = {
  readonly certificateAuthorities?: readonly Resource[];
};

export type Security = {
  readonly tls?: Tls;
};

export type Proxy = {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: readonly string[];
};

export type Verification = {
  readonly hash?: string;
};

export type HttpHeader = {
  readonly name: string;
  readonly value?: string;
};

export type Resource = {
  readonly compression?: string;
  readonly httpHeaders?: readonly HttpHeader[];
  readonly source?: string;
  readonly verification?: Verification;
};

export type IgnitionConfigSources = {
  readonly merge?: readonly Resource[];
  readonly replace?: Resource;
};

export type Ignition = {
  readonly config?: IgnitionConfigSources;
  readonly proxy?: Proxy;
  readonly security?: Security;
  readonly timeouts?: Timeouts;
  readonly version: string;
};

export type Config = {
  readonly ignition?: Ignition;
  readonly kernelArguments?: KernelArguments;
  readonly passwd?: Passwd;
  readonly storage?: Storage;
  readonly systemd?: Systemd;
};
