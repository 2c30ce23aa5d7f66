/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_DESCRIBE_H
#define MACHINE_DESCRIBE_H

/* The arguments behind the command's name, in any order. The exit code. */
int command_dump(int argc, char **argv);
int command_topology(int argc, char **argv);

#endif
