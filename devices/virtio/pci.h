/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_PCI_H
#define DEVICES_VIRTIO_PCI_H

struct pci_bus;
struct virtio_dev;
struct virtio_pci;

/*
 * Virtio over PCI, modern interface (virtio 1.3, 4.1): a function on @bus for
 * @dev, which stays its owner's and is destroyed after it. 0 or -errno.
 */
int virtio_pci_create(struct virtio_pci **vp, struct pci_bus *bus, struct virtio_dev *dev);
/* Its function; as long as it lives. */
struct pci_func *virtio_pci_func(struct virtio_pci *vp);
void virtio_pci_destroy(struct virtio_pci *vp);

#endif
