// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
// The smallest module that shows that it was loaded: /sys/module/ashlar_example/parameters/answer reads 42.
#include <linux/module.h>

static int answer = 42;
module_param(answer, int, 0444);
MODULE_PARM_DESC(answer, "what somebody may read");

static int __init ashlar_example_init(void)
{
	return 0;
}

static void __exit ashlar_example_exit(void)
{
}

module_init(ashlar_example_init);
module_exit(ashlar_example_exit);

MODULE_DESCRIPTION("Example of a kernel module in an extension");
MODULE_LICENSE("Dual BSD/GPL");
