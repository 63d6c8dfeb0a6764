/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as an array of NumPy's or an archive of them: refused with a status of its own, or everything that is
 * named can be read. Each input is tried as a whole file, and as the one array of an archive that is right otherwise,
 * stored and deflated.
 */
#include "fuzz.h"
#include "tensor.h"

#include "../unit/archive.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile.h"

const char *const mdm_fuzz_words[] = {"'descr': '<f8'",
                                      "'descr': '<f4'",
                                      "'|u1'",
                                      "'>f4'",
                                      "'fortran_order': True",
                                      "'fortran_order': False",
                                      "'shape': (2, 3)",
                                      "'shape': ()",
                                      "(3,)",
                                      "(0, 4)",
                                      "9223372036854775807",
                                      "-1",
                                      ", ",
                                      "}",
                                      "{",
                                      "\n",
                                      "\x93NUMPY\1\0",
                                      ".npy",
                                      "PK\1\2",
                                      "PK\3\4",
                                      "PK\5\6",
                                      "PK\6\6",
                                      "PK\6\7",
                                      "PK\7\x08",
                                      NULL};

static const char plain[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
static const char turned[] = "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }";

/* Seeds 0 and 1 are arrays; then archives, stored and deflated, without checksums, so that a mutation gets behind
 * them. */
size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    static const double wide[6] = {1, 2, 3, 4, 5, 6};
    static const float single[6] = {1, 2, 3, 4, 5, 6};
    struct archive a = {.no_crc = 1, .plain = 1, .deflate = i & 1, .zip64 = i > 3};
    size_t size = 0;

    if (i < 0 || i > 5)
        return 0;
    if (i == 0) {
        put_array(&a.file, plain, wide, sizeof wide);
    } else if (i == 1) {
        put_array(&a.file, turned, single, sizeof single);
    } else {
        add_array(&a, "mu.npy", plain, wide, sizeof wide);
        add_array(&a, "sigma.npy", turned, single, sizeof single);
        end_archive(&a);
    }
    if (a.file.size <= capacity) {
        size = a.file.size;
        memcpy(out, a.file.data, size);
    }
    free_archive(&a);
    return size;
}

static void judge(const uint8_t *data, size_t size)
{
    struct mdm_tensorfile s;
    int err = mdm_tensorfile_open_memory(&s, data, size);

    require(err == MASKDM_OK || err == MASKDM_EFORMAT || err == MASKDM_EVERSION);
    if (!err) {
        for (int64_t i = 0; i < s.count; i++) {
            require(s.tensor[i].end - s.tensor[i].begin <= 1100 * (uint64_t)size);
            if (s.tensor[i].elements <= 1 << 20)
                read_tensor(&s, i);
        }
        mdm_tensorfile_close(&s);
    }
    require(mdm_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge(data, size);
    for (int deflate = 0; deflate < 2; deflate++) {
        struct archive a = {.no_crc = 1, .plain = 1, .deflate = deflate};
        uint8_t *exact;

        add_entry(&a, "x.npy", data, size);
        end_archive(&a);
        exact = malloc(a.file.size);
        require(exact != NULL);
        memcpy(exact, a.file.data, a.file.size);
        judge(exact, a.file.size);
        free(exact);
        free_archive(&a);
    }
    return 0;
}
