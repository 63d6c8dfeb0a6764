/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a PyTorch checkpoint: refused with MASKDM_EFORMAT, or everything that it names can be read. Each input
 * is tried as a whole file, and as the pickle of an archive that is right otherwise, since few mutations keep both.
 */
#include "fuzz.h"
#include "tensor.h"

#include "../unit/archive.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <stdlib.h>
#include <string.h>

enum { ELEMENTS = 12 };

const char *const mdm_fuzz_words[] = {"ctorch._utils\n_rebuild_tensor_v2\n",
                                      "ctorch._utils\n_rebuild_parameter\n",
                                      "ccollections\nOrderedDict\n)R",
                                      "ctorch\nFloatStorage\n",
                                      "ctorch\nHalfStorage\n",
                                      "ctorch\nSize\n",
                                      "X\1",
                                      "K\1",
                                      "J\xff\xff\xff\xff",
                                      "}",
                                      "(",
                                      "t",
                                      "u",
                                      "e",
                                      "s",
                                      "a",
                                      "b",
                                      "R",
                                      "Q",
                                      "q\1",
                                      "h\1",
                                      "\x85",
                                      "\x86",
                                      "\x87",
                                      "\x88",
                                      "\x89",
                                      "N",
                                      "]",
                                      ")",
                                      ".",
                                      "storage",
                                      "cpu",
                                      "0",
                                      "PK\1\2",
                                      "PK\3\4",
                                      "PK\5\6",
                                      "PK\6\6",
                                      "PK\6\7",
                                      "PK\7\x08",
                                      NULL};

/* {"w": a tensor, "n": {"t": its transpose}, "step": 3} */
static void write_pickle(struct bytes *b)
{
    static const int64_t shape[] = {3, 4}, stride[] = {4, 1}, back[] = {4, 3}, across[] = {1, 4};

    put_string(b, "\x80\x02}q\1(");
    put_text(b, "w");
    put_tensor(b, "Float", "0", ELEMENTS, 0, shape, stride, 2);
    put_text(b, "n");
    put_string(b, "ccollections\nOrderedDict\n)Rq\2");
    put_text(b, "t");
    put_tensor(b, "Float", "0", ELEMENTS, 0, back, across, 2);
    put_string(b, "s}");
    put_text(b, "_metadata");
    put_string(b, "}sb");
    put_text(b, "step");
    put_string(b, "K\3u.");
}

static void write_archive(struct archive *a, const void *pickle, size_t size)
{
    static const float storage[ELEMENTS] = {1, 2, 3};

    make_archive(a, pickle, size, storage, sizeof storage);
}

/* Seed 0 is a pickle, 1 to 4 are archives that state no checksums, so that a mutation gets behind them. */
size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    struct bytes b = {0};
    struct archive a = {.no_crc = 1, .plain = (i - 1) & 1, .zip64 = (i - 1) >> 1 & 1};
    size_t size = 0;

    if (i < 0 || i > 4)
        return 0;
    write_pickle(&b);
    if (i == 0) {
        put(&a.file, b.data, b.size);
    } else {
        write_archive(&a, b.data, b.size);
    }
    if (a.file.size <= capacity) {
        size = a.file.size;
        memcpy(out, a.file.data, size);
    }
    free_archive(&a);
    free(b.data);
    return size;
}

static void judge(const uint8_t *data, size_t size)
{
    struct mdm_tensorfile s;
    int err = mdm_tensorfile_open_memory(&s, data, size);

    /* A mutation may become an array of NumPy's, of a version to come. */
    require(err == MASKDM_OK || err == MASKDM_EFORMAT || err == MASKDM_EVERSION);
    if (!err) {
        for (int64_t i = 0; i < s.count; i++) {
            const struct mdm_tensorfile_tensor *x = &s.tensor[i];

            if (x->elements > 1 << 20 || strncmp(x->dtype, "F8", 2) == 0)
                continue;
            require(x->end - x->begin <= s.size && x->begin <= s.size);
            require(read_tensor(&s, i) != MASKDM_ENOTSUP);
        }
        mdm_tensorfile_close(&s);
    }
    require(mdm_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive a = {.no_crc = 1};
    uint8_t *exact;

    judge(data, size);
    write_archive(&a, data, size);
    exact = malloc(a.file.size);
    require(exact != NULL);
    memcpy(exact, a.file.data, a.file.size);
    judge(exact, a.file.size);
    free(exact);
    free_archive(&a);
    return 0;
}
