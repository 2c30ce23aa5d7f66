// SPDX-License-Identifier: GPL-2.0-only
/* A driver of Linux for the DMA endpoint (docs/dma-test.md), which lends it to programs: whoever
 * has /dev/sva-FUNCTION open maps BAR 1 there, and the endpoint reaches the memory of the process
 * that opened it, by the PASID that a read gives. It stops no operation: what the IOMMU does with
 * those that are left is what is tested. */
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>

#define BAR 1

struct endpoint {
	struct miscdevice misc;
	struct pci_dev *pci;
};

struct lent {
	struct endpoint *to;
	struct iommu_sva *bond;
};

static int sva_open(struct inode *inode, struct file *f)
{
	struct endpoint *e = container_of(f->private_data, struct endpoint, misc);
	struct lent *l = kzalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->to = e;
	l->bond = iommu_sva_bind_device(&e->pci->dev, current->mm);
	if (IS_ERR(l->bond)) {
		const int err = PTR_ERR(l->bond);

		kfree(l);
		return err;
	}
	f->private_data = l;
	return 0;
}

static int sva_release(struct inode *inode, struct file *f)
{
	struct lent *l = f->private_data;

	iommu_sva_unbind_device(l->bond);
	kfree(l);
	return 0;
}

static ssize_t sva_read(struct file *f, char __user *to, size_t size, loff_t *at)
{
	const struct lent *l = f->private_data;
	const u32 pasid = iommu_sva_get_pasid(l->bond);

	return simple_read_from_buffer(to, size, at, &pasid, sizeof(pasid));
}

static int sva_mmap(struct file *f, struct vm_area_struct *vma)
{
	const struct lent *l = f->private_data;
	struct pci_dev *pci = l->to->pci;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, pci_resource_start(pci, BAR), pci_resource_len(pci, BAR));
}

static const struct file_operations sva_operations = {
	.owner = THIS_MODULE,
	.open = sva_open,
	.release = sva_release,
	.read = sva_read,
	.mmap = sva_mmap,
};

static int sva_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct endpoint *e = devm_kzalloc(&pci->dev, sizeof(*e), GFP_KERNEL);
	int err = pcim_enable_device(pci);

	if (!e || err)
		return e ? err : -ENOMEM;
	e->pci = pci;
	e->misc.minor = MISC_DYNAMIC_MINOR;
	e->misc.fops = &sva_operations;
	e->misc.name = devm_kasprintf(&pci->dev, GFP_KERNEL, "sva-%s", pci_name(pci));
	if (!e->misc.name)
		return -ENOMEM;
	pci_set_master(pci);
	pci_set_drvdata(pci, e);
	return misc_register(&e->misc);
}

static void sva_remove(struct pci_dev *pci)
{
	struct endpoint *e = pci_get_drvdata(pci);

	misc_deregister(&e->misc);
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1912, 0x002d) }, {} };

/* Neither the module nor the binding goes while it is lent. The device must not: that is not kept.
 */
static struct pci_driver sva_driver = {
	.name = "dmatest_sva",
	.id_table = ids,
	.probe = sva_probe,
	.remove = sva_remove,
	.driver.suppress_bind_attrs = true,
};
module_pci_driver(sva_driver);

MODULE_DESCRIPTION("DMA endpoint for programs, by SVA");
MODULE_LICENSE("GPL");
