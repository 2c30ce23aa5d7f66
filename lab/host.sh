#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots the lab's host and runs a command in it: host.sh [OPTION]... -- COMMAND [ARG]...
#   -s DIR     this folder is /share inside, read and write          -i        on this terminal, interactively
#   -t SECONDS give up after so long (exit 124)                      -k IMAGE  another kernel
#   -c CPUS  -m MEMORY (2, 6G)   -M PROPS  more of QEMU's -machine   -C PROPS  more of its -cpu; both: the last word holds
#   -A PROPS   more of its -accel
#   -P CPU     another CPU than QEMU's max, such as cortex-a53
#   -a PARAMS more kernel parameters; they add up                    -l FILE   keep the host's console log there
#   -q 'ARGS'  more of QEMU's arguments, split at spaces
#   -d KIND    with devices to assign (lab/devices.sh), behind SMMUs that a guest's can nest on: nest, two of them; five;
#              plain-nest, plain-five: the same, where none can
# The command's stdout, stderr and exit status are the script's own; 125 means that the host itself failed.
# A kernel of your own needs, built in: PL011 console, devtmpfs, tmpfs, initramfs; virtio over PCI (generic ECAM host)
# with 9p and console; KVM.

. "$(dirname "$0")/lib.sh"
. "$lab/tools.sh"
. "$lab/sysroot.sh"
. "$lab/kernel.sh"
. "$lab/devices.sh"

die() { echo "host: $*" >&2; exit 125; }

options() {
    share='' seconds=0 image=$cache/$kernel/Image cpus=2 memory=6G machine_props='' cpu='' cpu_props='' accel_props='' params='' extra='' terminal='' log='' devices=''
    while getopts s:t:k:c:m:M:P:C:A:a:q:l:d:i option; do
        case $option in
            s) share=$OPTARG ;; t) seconds=$OPTARG ;; k) image=$OPTARG ;; c) cpus=$OPTARG ;; m) memory=$OPTARG ;;
            M) machine_props=,$OPTARG ;; P) cpu=$OPTARG ;; C) cpu_props=,$OPTARG ;; A) accel_props=,$OPTARG ;; a) params+=" $OPTARG" ;;
            q) extra=$OPTARG ;; l) log=$OPTARG ;; i) terminal=1 ;; d) devices=$OPTARG ;;
            *) die "see the head of $0 for its options" ;;
        esac
    done
    shift $((OPTIND - 1))
    [ $# -gt 0 ] || die "no command"
    [ -z "$share" ] || [ -d "$share" ] || die "-s $share: not a folder"
    [ -r "$image" ] || die "-k $image: no such kernel image"
    [ -x "$cache/$tools/bin/qemu-system-aarch64" ] || die "the lab is not set up: run lab/setup.sh build lab"
    [ -z "$terminal" ] || { [ -t 0 ] && [ -t 1 ]; } || die "-i needs a terminal"
    case $devices in '' | nest | five | plain-nest | plain-five) ;; *) die "-d $devices: expected [plain-]nest or [plain-]five" ;; esac
    command=("$@")
}

# leave: the one way out; nothing of QEMU, of the terminal's raw mode or of the work folder stays
leave() {
    kill -PIPE $(jobs -p) 2>/dev/null || : # the one death that bash does not remark on
    [ -z "${saved_tty:-}" ] || stty "$saved_tty" <&3 || :
    rm -rf "$work"
}

# command_file: the command as a script for the host, every argument quoted
command_file() {
    local word
    if [ -n "$terminal" ]; then
        touch "$work/lab/terminal"
        echo "export TERM='${TERM:-linux}'; stty $(stty size <&3 | sed 's/\(.*\) \(.*\)/rows \1 cols \2/') 2>/dev/null"
    fi
    printf exec
    for word in "${command[@]}"; do
        printf " '%s'" "${word//\'/\'\\\'\'}"
    done
    echo
}

initramfs() {
    local name
    name=$cache/host-$(key "$sysroot" "$(cat "$lab/host-init" "$lab/../guests/linux/mkinitrd.sh")").cpio
    [ -e "$name" ] || "$lab/../guests/linux/mkinitrd.sh" "$name" -b "$cache/$sysroot/busybox" "$lab/host-init:init"
    [ -z "$iort" ] || { cat "$iort" "$name" >"$work/initrd"; name=$work/initrd; }
    echo "$name"
}

start() {
    local ports args more=() fs=security_model=none,multidevs=remap
    if [ -n "$terminal" ]; then
        ports=(-chardev stdio,id=out,signal=off -device virtconsole,chardev=out)
    else
        ports=(-chardev "file,id=out,path=$work/out" -device virtserialport,chardev=out,name=out
            -chardev "file,id=err,path=$work/err" -device virtserialport,chardev=err,name=err)
    fi
    args=(-nodefaults -no-user-config -display none -no-reboot
        -machine "virt,virtualization=on,gic-version=3$machine_props"
        -accel "tcg,thread=multi$accel_props" -cpu "${cpu:-max,pauth-impdef=on,sve=off,sme=off,lpa2=off}$cpu_props" -smp "$cpus" -m "$memory"
        -kernel "$image" -initrd "$(initramfs)"
        -append "console=ttyAMA0 earlycon quiet panic=-1$params"
        -chardev "file,id=log,path=$work/log" -serial chardev:log
        -device virtio-serial-pci "${ports[@]}"
        -fsdev "local,id=lab,path=$work/lab,$fs" -device virtio-9p-pci,fsdev=lab,mount_tag=lab)
    [ -z "$share" ] || args+=(-fsdev "local,id=share,path=${share//,/,,},$fs" -device virtio-9p-pci,fsdev=share,mount_tag=share)
    # shellcheck disable=SC2206
    args+=($extra)
    [ -z "$devices" ] || mapfile -t more < <(devices_args "$work" "$devices")
    args+=("${more[@]}")
    setpriv --pdeathsig TERM timeout --foreground -k 2 "$seconds" setpriv --pdeathsig KILL \
        "$cache/$tools/bin/qemu-system-aarch64" "${args[@]}" <&3 2>"$work/qemu" &
    qemu=$!
}

# come_up: gives the host a minute to get as far as its init
come_up() {
    local tries=600
    until [ -e "$work/lab/up" ] || ! kill -0 "$qemu" 2>/dev/null || [ $((tries -= 1)) = 0 ]; do sleep 0.1; done
    [ $tries != 0 ] || kill "$qemu"
}

# finish: waits for the host's end; the status is the command's, 124 if time ran out, 125 if the host failed
finish() {
    local rc=0 status
    wait "$qemu" || rc=$?
    qemu=
    if [ -z "$terminal" ]; then
        for port in out err; do : 1<>"$work/$port"; done # a reader that QEMU never opened its side for
        wait
    fi
    [ -z "$log" ] || cp "$work/log" "$log"
    status=$(cat "$work/lab/status" 2>/dev/null) || :
    [ -z "$status" ] || [ "$status" = 125 ] || exit "$status"
    tail -n 40 "$work/log" >&2 2>/dev/null || :
    if [ $rc = 124 ]; then
        echo "host: timed out after $seconds s; above is the end of its console" >&2
        exit 124
    fi
    [ ! -s "$work/qemu" ] || [ $rc = 0 ] || die "QEMU failed: $(tail -n 1 "$work/qemu")"
    [ -e "$work/lab/up" ] || die "$image did not come up as the lab's host; the head of $0 says what it needs"
    die "the host died; above is the end of its console"
}

options "$@"
work=$(mktemp -d)
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$work/lab"
[ -z "$share" ] || touch "$work/lab/share"
iort=
case $devices in nest | five) iort=$(devices_iort "$devices" "$cpus" "$machine_props" "$extra") ;; esac || die "no IORT that says CANWBS: the boot for it failed"
exec 3<&0
[ -z "$terminal" ] || saved_tty=$(stty -g)
command_file >"$work/lab/command"
if [ -z "$terminal" ]; then
    mkfifo "$work/out" "$work/err"
    cat "$work/out" &
    cat "$work/err" >&2 &
fi
start
come_up
finish
