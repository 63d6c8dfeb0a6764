/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tiny writer of tar archives, for tests.
 */
#ifndef MASKDM_TESTS_UNIT_TAR_H
#define MASKDM_TESTS_UNIT_TAR_H

#include "archive.h"

enum { TAR_BLOCK = 512 };

/* Put the checksum of a header right. */
static inline void sum_tar(unsigned char *block)
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += block[i];
    for (int i = 153; i >= 148; i--, sum >>= 3)
        block[i] = (unsigned char)('0' + (sum & 7));
    block[154] = 0;
}

/* Zeros up to the next block. */
static inline void pad_tar(struct bytes *b)
{
    static const unsigned char zero[TAR_BLOCK];

    put(b, zero, (TAR_BLOCK - b->size % TAR_BLOCK) % TAR_BLOCK);
}

/* A header of `type` with n bytes behind it. */
static inline void put_tar(struct bytes *b, char type, const char *name, const void *data, size_t n)
{
    unsigned char block[TAR_BLOCK] = {0};
    const size_t length = strlen(name);
    size_t size = n;

    memcpy(block, name, length < 100 ? length : 100);
    memcpy(block + 100, "0000644\0000000000\0000000000", 23);
    for (int i = 134; i >= 124; i--, size >>= 3)
        block[i] = (unsigned char)('0' + (size & 7));
    memcpy(block + 136, "00000000000", 11);
    block[156] = (unsigned char)type;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    sum_tar(block);
    put(b, block, sizeof block);
    put(b, data, n);
    pad_tar(b);
}

static inline void end_tar(struct bytes *b)
{
    static const unsigned char zero[2 * TAR_BLOCK];

    put(b, zero, sizeof zero);
}

#endif
