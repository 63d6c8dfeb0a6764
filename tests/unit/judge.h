/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judging the bytes of a tensor file from memory and from a file, with nothing leaked.
 */
#ifndef MASKDM_TESTS_JUDGE_H
#define MASKDM_TESTS_JUDGE_H

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int open_file(const unsigned char *bytes, size_t size)
{
    struct mdm_tensorfile s;
    char path[] = "judged-XXXXXX";
    int fd = mkstemp(path), err;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    err = mdm_tensorfile_open(&s, path);
    if (err)
        ck_assert_msg(strstr(mdm_error_text(), path) != NULL, "no file name in: %s", mdm_error_text());
    else
        mdm_tensorfile_close(&s);
    unlink(path);
    return err;
}

/* Exact-size memory, so that a sanitizer sees a read beyond it. says NULL: must be accepted. */
static inline void judge(const unsigned char *bytes, size_t size, const char *says, const char *label)
{
    unsigned char *exact = malloc(size ? size : 1);
    long live = mdm_alloc_live();
    struct mdm_tensorfile s;
    int err;

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, size);
    err = mdm_tensorfile_open_memory(&s, exact, size);
    ck_assert_msg(err == (says ? MASKDM_EFORMAT : MASKDM_OK), "%s: %d %s", label, err, mdm_error_text());
    ck_assert_msg(!says || strstr(mdm_error_text(), says), "%s: \"%s\" does not say \"%s\"", label, mdm_error_text(),
                  says);
    if (!err)
        mdm_tensorfile_close(&s);
    ck_assert_int_eq(open_file(exact, size), err);
    ck_assert_msg(mdm_alloc_live() == live, "%s leaks", label);
    free(exact);
}

static inline int refuse_nth(void *user, size_t bytes)
{
    long *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

/* Opening with the first allocation refused, the second, ... until none is; there are more than `least`. */
static inline void refuse_allocations(const unsigned char *bytes, size_t size, long least)
{
    long live = mdm_alloc_live(), n = 0, left;
    struct mdm_alloc_hook hook = {refuse_nth, &left};
    struct mdm_tensorfile s;
    int err;

    do {
        left = n++;
        mdm_alloc_hook_set(&hook);
        err = mdm_tensorfile_open_memory(&s, bytes, size);
        mdm_alloc_hook_set(NULL);
        ck_assert(err == MASKDM_OK || err == MASKDM_ENOMEM);
        if (!err)
            mdm_tensorfile_close(&s);
        ck_assert_int_eq(mdm_alloc_live(), live);
    } while (err);
    ck_assert_int_gt(n, least);
}

#endif
