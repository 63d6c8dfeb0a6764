/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a batch of CIFAR's for Python. The array of one image is put in place of a word, so that the
 * pickle around it is what mutates.
 */
#include "fuzz.h"
#include "source.h"

#include "../unit/archive.h"

enum { IMAGE = 3072 };

#define ARRAY "cnumpy.core.multiarray\n_reconstruct\nq\1cnumpy\nndarray\nq\2K\0\x85q\3U\1bq\4\x87q\5Rq\6"
#define TYPE "cnumpy\ndtype\nq\7U\2u1q\x08K\0K\1\x87q\x09Rq\x0a(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define BYTES "<BYTES>"

const char *const mdm_fuzz_words[] = {
    BYTES, "U\4data", "U\6labels",         "K\5",           "]", "(",    "e", "t", "u", "}", "b", "R", "q\1",
    "h\1", "\x86",    "cnumpy\nndarray\n", "cos\nsystem\n", "N", "\x89", "s", "a", ".", NULL};

static const char seed[] =
    "\x80\2}q\0(U\6labels]q\x0b(K\3eU\4data" ARRAY "(K\1K\1M\0\x0c\x86" TYPE "\x89" BYTES "tbu.";

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    if (i || capacity < sizeof seed)
        return 0;
    memcpy(out, seed, sizeof seed - 1);
    return sizeof seed - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char image[IMAGE];
    struct bytes b = {0};

    put(&b, "\x80", 1);
    for (size_t at = size && data[0] == 0x80; at < size; at++)
        if (size - at >= sizeof BYTES - 1 && memcmp(data + at, BYTES, sizeof BYTES - 1) == 0) {
            put_string(&b, "T");
            put_le(&b, 4, IMAGE);
            put(&b, image, IMAGE);
            at += sizeof BYTES - 2;
        } else {
            put(&b, data + at, 1);
        }
    try_source("data_batch_1", b.data, b.size);
    free(b.data);
    try_source("data_batch_1.bin", data, size);
    return 0;
}
