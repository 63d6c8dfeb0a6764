/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A batch of CIFAR's for Python: a pickle of a dictionary, whose array of NumPy's is looked at where it lies. Read
 * and never executed: a stack of values that can hold nothing but what these files are made of.
 */
#ifndef MASKDM_DATA_CIFAR_PICKLE_H
#define MASKDM_DATA_CIFAR_PICKLE_H

#include <stddef.h>
#include <stdint.h>

struct mdm_tensorfile;

struct mdm_cifar_batch {
    int64_t rows, columns; /* of the array "data"; 0: there is none */
    uint64_t at;           /* its first byte in the file */
    int64_t *label;        /* "labels" or "fine_labels"; NULL: there are none */
    int64_t labels;
    char **name; /* "label_names" or "fine_label_names", of a file about the others */
    int64_t names;
};

/* A failure leaves nothing to free. */
int mdm_cifar_batch_read(struct mdm_cifar_batch *b, struct mdm_tensorfile *f);
void mdm_cifar_batch_free(struct mdm_cifar_batch *b);

#endif
