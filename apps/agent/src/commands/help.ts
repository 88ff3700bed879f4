/** Defaults, here because the texts name them. */
export const IDLE_SECONDS = 60;
export const HEALTH_SECONDS = 60;
export const FETCH_SECONDS = 300;
export const DEBUG_SECONDS = 3600;

const COMMON = `  --version               print the version
  --help                  print this help`;

const STATUSES = "Exit status: 0 done, 1 failed, 2 wrong usage.";

export const PROGRAM: string = `Usage: ashlar agent [COMMAND] [options]

The part of Ashlar that lives on a node.

Commands:
  agent           answer requests for this node's evidence, and pass on orders (ashlar-agent.service)
  agent updater   carry out orders to update this node (ashlar-updater.service)
  agent refresher verify, measure and merge extensions when something has changed (ashlar-refresher.service)
  agent update    fetch a release and install it in the inactive slot
  agent status    show the running release, the next one, and what failed and why
  agent rollback  make the other slot's release boot next
  agent health    check whether this boot is healthy (ashlar-health.service)
  agent boot-loader
                  put this release's systemd-boot on the ESP (ashlar-boot-loader.service)
  agent cluster   let the kubelet go on without joining again (ashlar-cluster.service)
  agent scrub     read every block of both slots and of extensions, and name what is damaged
  agent extensions status, update, fetch, debug, apply
                  show and change the extensions merged over /usr, /opt and /etc

Run \`ashlar agent COMMAND --help\` for details.`;

export const AGENT: string = `Usage: ashlar agent [options]

Answers requests for this node's TPM evidence over HTTPS. It is started by ashlar-agent.socket, which passes the
listening socket (and the measurement logs) as systemd's file descriptors. Orders to update, roll back or reboot it
passes on to ashlar-updater.socket, unread: the updater takes only what an operator has signed.

Options:
  --idle-timeout SECONDS  exit after this long without a connection (default ${IDLE_SECONDS}); the socket starts it again
${COMMON}

Environment:
  ASHLAR_TPM_TCTI              the TPM, in the form of tpm2-tools (default device:/dev/tpmrm0)
  ASHLAR_VERITY_STATUS_SOCKET  where \`dmsetup\` answers for /usr (default /run/ashlar-verity-status.socket)
  ASHLAR_UPDATER_SOCKET        where orders to update are taken (default /run/ashlar-updater.sock)

Example:
  curl --insecure https://NODE:7443/v1/keys              from another machine

Further commands: updater, refresher, update, status, rollback, health, cluster, scrub, extensions (see \`ashlar --help\`).`;

export const UPDATER: string = `Usage: ashlar agent updater [options]

Takes orders to update this node, as HTTP with JSON on two Unix sockets, and carries them out, one at a time: from root
on that of ashlar-updater-root.socket, signed by an operator on that of ashlar-updater.socket. Policy and repository are
in /etc/ashlar/update.yaml or /usr/lib/ashlar/update.yaml.

Options:
  --idle-timeout SECONDS  exit after this long without a connection or an order (default ${IDLE_SECONDS})
${COMMON}

Example:
  journalctl --follow --unit ashlar-updater.service`;

export const REFRESHER: string = `Usage: ashlar agent refresher [options]

Does what \`ashlar agent extensions apply\` does, whenever a request comes over HTTP on the Unix socket that
ashlar-refresher.socket passes. The updater wakes it when it begins to fetch an extension.

Options:
  --idle-timeout SECONDS  exit after this long without a connection (default ${IDLE_SECONDS})
${COMMON}

Example:
  journalctl --follow --unit ashlar-refresher.service`;

export const UPDATE: string = `Usage: ashlar agent update [options]

Fetches a release and installs it in the inactive slot; it boots next. Default: the newest release of this node's channel.
The running release is not touched, and the node does not reboot.

Options:
  --to VERSION            this release
  --channel NAME          the release that this channel names
  --allow-downgrade       accept an older release than the running one
  --retry                 accept a release that has failed on this node
  --policy                do what update.yaml says, including the reboot (ashlar-update.timer)
  --json                  print the status at the end as JSON
${COMMON}

${STATUSES} It needs root.

Examples:
  ashlar agent update
  ashlar agent update --to 1.1.0 && systemctl reboot`;

export const STATUS: string = `Usage: ashlar agent status [options]

Shows which release is running, which one boots next, what the updater is doing, what the health checks found, and which
releases have failed on this node and why.

Options:
  --json                  print it as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent status --json`;

export const ROLLBACK: string = `Usage: ashlar agent rollback [options]

Makes the release in the other slot boot next, after reading every block of it. The running release is not installed again
unless --retry asks for it. The node does not reboot.

Options:
  --json                  print the status at the end as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent rollback && systemctl reboot`;

export const SCRUB: string = `Usage: ashlar agent scrub [options]

Reads every block of both slots and compares it with its hash tree, so that a failing disk is found before a boot needs it.
Damaged blocks are reported with the files that they belong to. The images in /opt/extensions are read, too.

Options:
  --json                  print the findings as JSON
${COMMON}

Exit status: 0 every block is intact, 1 some are not, 2 wrong usage. It needs root.

Example:
  systemd-run --property=IOSchedulingClass=idle --pipe ashlar agent scrub`;

export const HEALTH: string = `Usage: ashlar agent health [options]

Checks whether this boot is healthy: no unit has failed; containerd, the agent and (once the node has joined a cluster) the
kubelet answer; /var is writable and more than 10 % free; the extensions of the last healthy boot are merged again; every
executable in /usr/lib/ashlar/health.d and /etc/ashlar/health.d exits with status 0 in time. While the release is on trial,
a failure makes this command exit with status 1, which reboots the node; later a failure is only reported.

Options:
  --time-limit SECONDS    for each check (default ${HEALTH_SECONDS}); a check that takes longer has failed. Time in which tasks wait for
                          a processor or a disk does not count, up to ten times as much
  --json                  print the findings as JSON
${COMMON}

Exit status: 0 healthy, or not on trial; 1 a release on trial is not healthy; 2 wrong usage. It needs root.

Example:
  ashlar agent health --json`;

export const BOOT_LOADER: string = `Usage: ashlar agent boot-loader

Puts the running release's systemd-boot in the place of an older one on the EFI system partition, in both copies, when this
boot was found healthy and the release is not on trial. A power cut leaves the old one or the new one. A newer release's
stays when it was rolled back.

Options:
${COMMON}

${STATUSES} It needs root.

Example:
  journalctl --boot --unit ashlar-boot-loader.service`;

export const CLUSTER: string = `Usage: ashlar agent cluster

Writes /etc/kubernetes/kubelet.conf, so that a node which has joined a cluster need not join again after a reboot. Which
cluster it is, the measured configuration says: /etc/ashlar/cluster.yaml, or the \`kubeadm join\` line of a unit with
--discovery-token-ca-cert-hash. Of what was kept in /var only certificates count, and only those that fit.

Options:
${COMMON}

${STATUSES} A node that has to join again is told why, with status 0. It needs root.

Example:
  journalctl --boot --unit ashlar-cluster.service`;

export const EXTENSIONS_APPLY: string = `Usage: ashlar agent extensions apply [options]

Merges the declared extensions over /usr, /opt and /etc: verifies the images in /opt/extensions, measures each into PCR 13,
and has systemd-sysext and systemd-confext merge them. Bad images are set aside, with the reason.

Options:
  --json                  print the outcome as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent extensions apply --json`;

export const EXTENSIONS_STATUS: string = `Usage: ashlar agent extensions status [options]

Shows which extensions are merged, which images were set aside and why, what is missing, and what the updater is doing.

Options:
  --json                  print it as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent extensions status --json`;

export const EXTENSIONS_FETCH: string = `Usage: ashlar agent extensions fetch [options]

Fetches the declared extensions that this node lacks (ashlar-extensions-fetch.service), and has them merged. It tries again
until none is missing or the time limit is reached.

Options:
  --time-limit SECONDS    when to stop trying (default ${FETCH_SECONDS})
  --json                  print the status at the end as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent extensions fetch --time-limit 60`;

export const EXTENSIONS_UPDATE: string = `Usage: ashlar agent extensions update [options]

Moves a declared extension to another version without a reboot: it is fetched, verified, measured and merged, its units
are restarted, its health is checked. If that fails, the previous version is merged again.

Options:
  --component NAME        which extension
  --to VERSION            this version (default: the newest that its declaration allows)
  --allow-downgrade       accept an older version than the merged one
  --retry                 accept a version that has failed on this node
  --policy                all extensions that are declared to be updated automatically (ashlar-component-update.timer)
  --json                  print the status at the end as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent extensions update --component kubernetes --to v1.33.5`;

export const EXTENSIONS_DEBUG: string = `Usage: ashlar agent extensions debug [options]

Merges an undeclared extension for a while: it is measured, the node's proof names it, and it is removed when its time is
over or the node reboots.

Options:
  --with NAME             an extension of the repository, in its newest version
  --for SECONDS           for how long (default ${DEBUG_SECONDS})
  --end                   end it now
  --json                  print the status at the end as JSON
${COMMON}

${STATUSES} It needs root.

Example:
  ashlar agent extensions debug --with debug-tools --for 600`;
