/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_KERNEL_CONFIG_H
#define MACHINE_KERNEL_CONFIG_H

enum kernel_config { CONFIG_UNKNOWN, CONFIG_OFF, CONFIG_ON };

/* Whether the kernel was built with @option, CONFIG_NAME, by the configuration at @path, packed or
 * not
 * (/proc/config.gz, which a kernel has with CONFIG_IKCONFIG_PROC); a module is on. */
enum kernel_config kernel_config(const char *path, const char *option);

#endif
