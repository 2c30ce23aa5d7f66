// SPDX-License-Identifier: GPL-2.0-only
/* A driver of Linux for a DMA endpoint with a mailbox (docs/vpri.md). Who opens /dev/vpri-FUNCTION
 * lends it its memory: a page that the endpoint asks for is pinned and mapped at its own address,
 * by the kernel's IOMMU API, in front of any IOMMU that has one. A read gives two counts, of pages
 * that were and were not; a write of an address gives that page back. BAR 1 can be mapped. */
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/sched/mm.h>
#include <linux/xarray.h>

#define BAR       1
#define VENDOR    0x1af4
#define DVSEC     0x7072
#define CREDITS   32
#define LOG2      6 /* of the ring's entries, more than there are credits */
#define RING_IOVA (1UL << 32)

enum { CONTROL = 0x0c, RING = 0x10, ADDR = 0x18, DATA = 0x20, RESPONSE = 0x24 };
enum { ENABLE = 1, MESSAGES = 2, INVALID = 1 };

/* An entry's words. */
#define WRITE_WANTED BIT_ULL(1)
#define LAST         BIT_ULL(2)
#define GROUP(word)  ((word) >> 3 & 0x1ff)
#define PHASE        BIT_ULL(63)

struct endpoint {
	struct miscdevice misc;
	struct pci_dev *pci;
	int mailbox, pri; /* capabilities */
	unsigned long lent;
	struct iommu_domain *domain;
	struct msi_msg message;
	phys_addr_t doorbell; /* what it leads to, if an IOMMU translates it; 0: none does */
	struct mm_struct *mm;
	struct mutex lock;
	struct xarray pages; /* that are mapped, by number */
	__le64 (*ring)[2];
	unsigned int read;
	DECLARE_BITMAP(bad, 512); /* groups that have a page which cannot be had */
	u64 counts[2];
};

static void give_back(struct endpoint *e, unsigned long number)
{
	struct page *page = xa_erase(&e->pages, number);

	if (!page)
		return;
	iommu_unmap(e->domain, number << PAGE_SHIFT, PAGE_SIZE);
	unpin_user_pages_dirty_lock(&page, 1, true);
}

static struct page *pin(struct endpoint *e, unsigned long at, bool write)
{
	const unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);
	struct page *page = NULL;

	if (!mmget_not_zero(e->mm))
		return NULL;
	mmap_read_lock(e->mm);
	if (pin_user_pages_remote(e->mm, at, 1, flags, &page, NULL) != 1)
		page = NULL;
	mmap_read_unlock(e->mm);
	mmput(e->mm);
	return page;
}

static u64 message_at(const struct endpoint *e)
{
	return (u64)e->message.address_hi << 32 | e->message.address_lo;
}

static bool bring(struct endpoint *e, unsigned long at, bool write)
{
	const int prot = IOMMU_READ | (write ? IOMMU_WRITE : 0);
	struct page *page;

	if (at == RING_IOVA || (e->doorbell && at == (message_at(e) & PAGE_MASK)))
		return false;
	give_back(e, at >> PAGE_SHIFT);
	page = pin(e, at, write);
	if (!page)
		return false;
	if (!iommu_map(e->domain, at, page_to_phys(page), PAGE_SIZE, prot, GFP_KERNEL)) {
		if (!xa_is_err(xa_store(&e->pages, at >> PAGE_SHIFT, page, GFP_KERNEL)))
			return true;
		iommu_unmap(e->domain, at, PAGE_SIZE);
	}
	unpin_user_page(page);
	return false;
}

static void serve(struct endpoint *e, u64 request, u32 name)
{
	const unsigned int group = GROUP(request);
	const bool good = bring(e, request & PAGE_MASK, request & WRITE_WANTED);

	e->counts[!good]++;
	if (!good)
		set_bit(group, e->bad);
	if (!(request & LAST))
		return;
	if (test_and_clear_bit(group, e->bad))
		name |= INVALID << 30;
	pci_write_config_dword(e->pci, e->mailbox + RESPONSE, name);
}

static irqreturn_t interrupt(int irq, void *ctx)
{
	struct endpoint *e = ctx;
	u64 name;

	mutex_lock(&e->lock);
	for (;; e->read++) {
		const unsigned int i = e->read & ((1 << LOG2) - 1);
		const bool phase = !(e->read >> LOG2 & 1);

		name = le64_to_cpu(READ_ONCE(e->ring[i][1]));
		if (!!(name & PHASE) != phase)
			break;
		dma_rmb();
		serve(e, le64_to_cpu(e->ring[i][0]), (u32)name);
	}
	mutex_unlock(&e->lock);
	return IRQ_HANDLED;
}

static void write64(struct endpoint *e, int at, u64 val)
{
	pci_write_config_dword(e->pci, e->mailbox + at, (u32)val);
	pci_write_config_dword(e->pci, e->mailbox + at + 4, val >> 32);
}

/* Nobody else enables page requests of a function that its IOMMU's driver knows nothing of. */
static void begin_pri(struct endpoint *e)
{
	pci_write_config_word(e->pci, e->pri + PCI_PRI_CTRL, 0);
	pci_write_config_word(e->pci, e->pri + PCI_PRI_CTRL, PCI_PRI_CTRL_RESET);
	pci_write_config_dword(e->pci, e->pri + PCI_PRI_ALLOC_REQ, CREDITS);
	pci_write_config_word(e->pci, e->pri + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
}

/* The message is a vector's of MSI-X, which the function does not send. */
static void find_message(struct endpoint *e)
{
	struct iommu_domain *before = iommu_get_domain_for_dev(&e->pci->dev);

	get_cached_msi_msg(pci_irq_vector(e->pci, 0), &e->message);
	e->doorbell = before && before->type & __IOMMU_DOMAIN_PAGING
	                      ? iommu_iova_to_phys(before, message_at(e)) & PAGE_MASK
	                      : 0;
}

static int map_message(struct endpoint *e)
{
	if (!e->doorbell)
		return 0;
	return iommu_map(e->domain, message_at(e) & PAGE_MASK, e->doorbell, PAGE_SIZE,
	                 IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO, GFP_KERNEL);
}

static void begin_mailbox(struct endpoint *e)
{
	e->read = 0;
	write64(e, RING, RING_IOVA | LOG2);
	write64(e, ADDR, message_at(e));
	pci_write_config_dword(e->pci, e->mailbox + DATA, e->message.data);
	pci_write_config_word(e->pci, e->mailbox + CONTROL, ENABLE | MESSAGES);
}

static int lend_domain(struct endpoint *e)
{
	int err;

	find_message(e);
	e->domain = iommu_paging_domain_alloc(&e->pci->dev);
	if (IS_ERR(e->domain))
		return PTR_ERR(e->domain);
	err = iommu_map(e->domain, RING_IOVA, virt_to_phys(e->ring), PAGE_SIZE,
	                IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	if (!err)
		err = map_message(e);
	if (!err)
		err = iommu_attach_device(e->domain, &e->pci->dev);
	if (err)
		iommu_domain_free(e->domain);
	return err;
}

static void take_back(struct endpoint *e)
{
	unsigned long number;
	struct page *page;

	pci_clear_master(e->pci);
	pci_write_config_word(e->pci, e->mailbox + CONTROL, 0);
	pci_write_config_word(e->pci, e->pri + PCI_PRI_CTRL, 0);
	synchronize_irq(pci_irq_vector(e->pci, 0));
	xa_for_each(&e->pages, number, page) give_back(e, number);
	iommu_unmap(e->domain, RING_IOVA, PAGE_SIZE);
	if (e->doorbell)
		iommu_unmap(e->domain, message_at(e) & PAGE_MASK, PAGE_SIZE);
	iommu_detach_device(e->domain, &e->pci->dev);
	iommu_domain_free(e->domain);
}

static int vpri_open(struct inode *inode, struct file *f)
{
	struct endpoint *e = container_of(f->private_data, struct endpoint, misc);
	int err;

	if (test_and_set_bit(0, &e->lent))
		return -EBUSY;
	memset(e->ring, 0, PAGE_SIZE);
	memset(e->counts, 0, sizeof(e->counts));
	bitmap_zero(e->bad, 512);
	err = lend_domain(e);
	if (err) {
		clear_bit(0, &e->lent);
		return err;
	}
	e->mm = current->mm;
	mmgrab(e->mm);
	f->private_data = e;
	pci_set_master(e->pci);
	begin_mailbox(e);
	begin_pri(e);
	return 0;
}

static int vpri_release(struct inode *inode, struct file *f)
{
	struct endpoint *e = f->private_data;

	take_back(e);
	mmdrop(e->mm);
	clear_bit(0, &e->lent);
	return 0;
}

static ssize_t vpri_read(struct file *f, char __user *to, size_t size, loff_t *at)
{
	const struct endpoint *e = f->private_data;
	loff_t begin = 0;

	return simple_read_from_buffer(to, size, &begin, e->counts, sizeof(e->counts));
}

static ssize_t vpri_write(struct file *f, const char __user *from, size_t size, loff_t *at)
{
	struct endpoint *e = f->private_data;
	u64 address;

	if (size != sizeof(address) || copy_from_user(&address, from, size))
		return -EINVAL;
	mutex_lock(&e->lock);
	give_back(e, address >> PAGE_SHIFT);
	mutex_unlock(&e->lock);
	return size;
}

static int vpri_mmap(struct file *f, struct vm_area_struct *vma)
{
	const struct endpoint *e = f->private_data;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, pci_resource_start(e->pci, BAR), pci_resource_len(e->pci, BAR));
}

static const struct file_operations vpri_operations = {
	.owner = THIS_MODULE,
	.open = vpri_open,
	.release = vpri_release,
	.read = vpri_read,
	.write = vpri_write,
	.mmap = vpri_mmap,
};

static int find_capabilities(struct endpoint *e)
{
	e->mailbox = pci_find_dvsec_capability(e->pci, VENDOR, DVSEC);
	e->pri = pci_find_ext_capability(e->pci, PCI_EXT_CAP_ID_PRI);
	return e->mailbox && e->pri ? 0 : -ENODEV;
}

static int listen(struct endpoint *e)
{
	const int err = pci_alloc_irq_vectors(e->pci, 1, 1, PCI_IRQ_MSIX);

	if (err < 0)
		return err;
	return devm_request_threaded_irq(&e->pci->dev, pci_irq_vector(e->pci, 0), NULL, interrupt,
	                                 IRQF_ONESHOT, "vpri", e);
}

static int vpri_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct endpoint *e = devm_kzalloc(&pci->dev, sizeof(*e), GFP_KERNEL);
	int err = pcim_enable_device(pci);

	if (!e || err)
		return e ? err : -ENOMEM;
	e->pci = pci;
	mutex_init(&e->lock);
	xa_init(&e->pages);
	e->ring = (void *)devm_get_free_pages(&pci->dev, GFP_KERNEL | __GFP_ZERO, 0);
	e->misc.minor = MISC_DYNAMIC_MINOR;
	e->misc.fops = &vpri_operations;
	e->misc.name = devm_kasprintf(&pci->dev, GFP_KERNEL, "vpri-%s", pci_name(pci));
	if (!e->ring || !e->misc.name)
		return -ENOMEM;
	err = find_capabilities(e);
	if (!err)
		err = listen(e);
	pci_set_drvdata(pci, e);
	return err ?: misc_register(&e->misc);
}

static void vpri_remove(struct pci_dev *pci)
{
	struct endpoint *e = pci_get_drvdata(pci);

	misc_deregister(&e->misc);
}

/* What waits is not answered: the reset is its end. */
static void vpri_reset_prepare(struct pci_dev *pci)
{
	struct endpoint *e = pci_get_drvdata(pci);

	mutex_lock(&e->lock);
}

/* Config space is as it was, but for what nobody but this driver knows. */
static void vpri_reset_done(struct pci_dev *pci)
{
	struct endpoint *e = pci_get_drvdata(pci);

	if (test_bit(0, &e->lent)) {
		memset(e->ring, 0, PAGE_SIZE);
		bitmap_zero(e->bad, 512);
		begin_mailbox(e);
		begin_pri(e);
	}
	mutex_unlock(&e->lock);
}

static const struct pci_error_handlers vpri_errors = {
	.reset_prepare = vpri_reset_prepare,
	.reset_done = vpri_reset_done,
};

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1912, 0x002d) }, {} };

/* As of dmatest_sva: it does not go while it is lent. */
static struct pci_driver vpri_driver = {
	.name = "dmatest_vpri",
	.id_table = ids,
	.probe = vpri_probe,
	.remove = vpri_remove,
	.err_handler = &vpri_errors,
	.driver.suppress_bind_attrs = true,
};
module_pci_driver(vpri_driver);

MODULE_DESCRIPTION("DMA endpoint for a program, by its own page-request mailbox");
MODULE_LICENSE("GPL");
