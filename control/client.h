/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

/*
 * nestor list, stat, pause, resume, stop, debug, inject, fault: of guests that run, by name.
 * The arguments after the command; the exit code: 0, 1 the guest could not, 2
 * usage. Whatever failed was said in one line.
 */
int client_list(int argc, char **argv);
int client_stat(int argc, char **argv);
int client_pause(int argc, char **argv);
int client_resume(int argc, char **argv);
int client_stop(int argc, char **argv);
int client_debug(int argc, char **argv);
int client_inject(int argc, char **argv);
int client_fault(int argc, char **argv);

#endif
