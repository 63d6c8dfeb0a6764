/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guarded device: the CPU behind addresses that nobody can follow. What alloc() gives is a range without any
 * right of access, and the bytes lie elsewhere; every call of the backend says which of its pointers are device
 * memory, and those alone are led there. So the host dies where it reads or writes device memory itself (SIGSEGV),
 * the guard where it is handed host memory in place of device memory or a range that leaves its buffer (SIGABRT, with
 * a line), and a kernel where it runs over the end of a buffer, behind which nothing is mapped. Fresh memory is full
 * of NaN.
 *
 * Linked into a test program, it stands in front of "cpu" before main() begins.
 */
#ifndef MASKDM_TESTS_GUARD_H
#define MASKDM_TESTS_GUARD_H

#include "backend/registry.h"

extern const struct mdm_device_module guard_module;

#endif
