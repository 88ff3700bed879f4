#!/bin/bash
# The initrd of an Ashlar node: systemd mounts the verity /usr on a tmpfs root, then the units here mount /var, measure
# the node's configuration and let Ignition apply it. There is no interactive shell in it.

check() {
    return 255
}

depends() {
    echo systemd-initrd systemd-veritysetup systemd-repart systemd-udevd systemd-modules-load dm
}

installkernel() {
    # Storage that a virtual or server node boots from; NVMe and virtio-pci are built into the kernel.
    hostonly='' instmods =drivers/scsi/virtio_scsi virtio_blk sd_mod ahci hv_vmbus hv_storvsc xen-blkfront
    hostonly='' instmods erofs dm_verity loop qemu_fw_cfg efivarfs
    # The processor's own instructions for SHA-256. Nothing loads it by itself before dm-verity chooses what it hashes with.
    hostonly='' instmods sha256_ssse3
    # Watchdogs; and memory of the firmware that keeps a panic's last lines.
    hostonly='' instmods i6300esb wdat_wdt softdog efi_pstore
}

install() {
    inst_multiple base64 cat chattr chmod chown chroot cmp cp dd head id ln mkdir mknod modprobe mount mountpoint mv readlink rm sed sh sha256sum sleep stat sync tail \
        touch umount systemctl journalctl udevadm \
        "$systemdutildir/systemd-makefs" "$systemdutildir/systemd-growfs" \
        basename

    # Started by the kernel, see rdinit= on the command line; it starts systemd.
    inst_script "$moddir/ashlar-first" /usr/lib/ashlar/ashlar-first

    # Measuring: systemd's program and what it loads at run time. dracut's own tpm2-tss module would add the whole of
    # tpm2-tools and, with it, curl.
    inst_multiple "$systemdutildir/systemd-pcrextend" "$systemdsystemunitdir/systemd-pcrphase-initrd.service"
    inst_libdir_file libtss2-{esys,sys,mu,rc,tcti-device,tctildr}.so\*
    mkdir -p "$initdir/$systemdsystemunitdir/initrd.target.wants"
    ln_r "$systemdsystemunitdir/systemd-pcrphase-initrd.service" \
        "$systemdsystemunitdir/initrd.target.wants/systemd-pcrphase-initrd.service"

    # Ignition is run by Debian's own units, in its live mode: the root disk is not its business here.
    # Left out: fetch over the network and kernel arguments, which a measured command line rules out.
    local ignition="$dracutbasedir/modules.d/30ignition"
    # Its generator, in bash, would find out from the command line what is always so here: ignition.env is ashlar-config's.
    # The program itself and those that it starts are in /usr: see run-from-usr.
    inst_script "$moddir/run-from-usr" /usr/lib/ashlar/run-from-usr
    local program unit
    for program in bin/ignition bin/jq bin/lsblk sbin/e2fsck sbin/groupadd sbin/groupdel sbin/mkfs.ext4 sbin/useradd \
        sbin/userdel sbin/usermod; do
        ln_r /usr/lib/ashlar/run-from-usr "/usr/$program"
    done
    inst_libdir_file libblkid.so\*
    inst_simple "$ignition/ignition-complete.target" "$systemdsystemunitdir/ignition-complete.target"
    require initrd.target ignition-complete.target
    for unit in fetch-offline disks mount files; do
        inst_simple "$ignition/ignition-$unit.service" "$systemdsystemunitdir/ignition-$unit.service"
        require ignition-complete.target "ignition-$unit.service"
    done
    inst_simple "$moddir/ignition-fetch-offline.conf" "$systemdsystemunitdir/ignition-fetch-offline.service.d/ashlar.conf"
    inst_script "$moddir/ashlar-needs-no-network" /usr/lib/ashlar/ashlar-needs-no-network
    # Debian's Ignition always asks for SELinux relabelling; the factory /etc says that SELinux is disabled.
    inst_script "$moddir/setfiles" /usr/bin/setfiles

    inst_script "$moddir/ashlar-mount" /usr/lib/ashlar/ashlar-mount
    for unit in ashlar-var ashlar-config ashlar-root ashlar-presets; do
        inst_script "$moddir/$unit" "/usr/lib/ashlar/$unit"
        inst_simple "$moddir/$unit.service" "$systemdsystemunitdir/$unit.service"
        require initrd.target "$unit.service"
    done
    # What was not measured must not be applied.
    require ignition-fetch-offline.service ashlar-config.service

    inst_simple "$moddir/udev-trigger.conf" "$systemdsystemunitdir/systemd-udev-trigger.service.d/ashlar.conf"

    mkdir -p "$initdir/usr/lib/modprobe.d"
    echo "softdep dm_verity pre: sha256_ssse3" >"$initdir/usr/lib/modprobe.d/ashlar.conf"

    # What systemd loads where it is there, to seal journals and to restrict services by programs in the kernel.
    rm -f "$initdir"/usr/lib/*/libgcrypt.so* "$initdir"/usr/lib/*/libgpg-error.so* "$initdir"/usr/lib/*/libbpf.so*

    inst_script "$moddir/ashlar-stop" /usr/lib/ashlar/ashlar-stop
    inst_simple "$moddir/emergency.service" "$systemdsystemunitdir/emergency.service"
    inst_simple "$moddir/emergency.service" "$systemdsystemunitdir/rescue.service"
    ln_r "$systemdsystemunitdir/initrd.target" "$systemdsystemunitdir/default.target"
}

require() {
    mkdir -p "$initdir/$systemdsystemunitdir/$1.requires"
    ln_r "$systemdsystemunitdir/$2" "$systemdsystemunitdir/$1.requires/$2"
}
