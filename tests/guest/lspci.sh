#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest, which has lspci in /lspci: all that it decodes of every function, and of what it says on stderr.
/lspci/bin/lspci -i /lspci/share/pci.ids -vvvnn 2>&1
