"""The objectives once more, in float64 numpy, written from SPEC.md and the paper, not from the package."""

import numpy as np


def log_softmax(x):
    x = np.asarray(x, dtype=np.float64)
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def cosines(features):
    features = np.asarray(features, dtype=np.float64)
    norms = np.sqrt((features**2).sum(axis=1, keepdims=True))
    features = features / np.where(norms == 0, 1, norms)
    return features @ features.T


def kl(log_p, log_q):
    """Sum over all rows of KL(p || q), with 0 log 0 = 0."""
    total = 0.0
    for lp, lq in zip(np.ravel(log_p), np.ravel(log_q), strict=True):
        if np.exp(lp) > 0:
            total += np.exp(lp) * (lp - lq)
    return total


def mix(first, second, weight):
    """log((1 - weight) exp(first) + weight exp(second)), an element at a time."""
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log(1 - weight) + first, np.log(weight) + second)


def one_hot(size):
    with np.errstate(divide="ignore"):
        return np.log(np.eye(size))


def smoothclap_targets(local_audio, tag_text, gamma, beta, tau_a2a, tau_t2t):
    a2a = log_softmax(cosines(local_audio) / tau_a2a)
    t2t = log_softmax(cosines(tag_text) / tau_t2t)
    return mix(one_hot(len(a2a)), mix(a2a, t2t, gamma), beta)


def label_smoothing_targets(size, beta):
    return mix(one_hot(size), np.full((size, size), -np.log(size)), beta)


def labels_targets(labels, beta):
    size = len(labels)
    q = np.zeros((size, size))
    for i in range(size):
        same = [j for j in range(size) if i == j or (labels[i] == labels[j] and labels[i] != -1)]
        q[i, same] = 1 / len(same)
    with np.errstate(divide="ignore"):
        return mix(one_hot(size), np.log(q), beta)


def soft_target_loss(audio, text, scale, log_y, reverse):
    similarity = scale * np.asarray(audio, dtype=np.float64) @ np.asarray(text, dtype=np.float64).T
    a2t, t2a = log_softmax(similarity), log_softmax(similarity.T)
    total = kl(log_y, a2t) + kl(log_y, t2a)
    if reverse:
        total += kl(a2t, log_y) + kl(t2a, log_y)
    return total / (2 * len(log_y))


def clap(audio, text, scale):
    similarity = scale * np.asarray(audio, dtype=np.float64) @ np.asarray(text, dtype=np.float64).T
    a2t, t2a = np.diag(log_softmax(similarity)), np.diag(log_softmax(similarity.T))
    return (-a2t.mean() - t2a.mean()) / 2


def smoothclap(audio, text, scale, local_audio, tag_text, *, gamma, beta, tau_a2a, tau_t2t):
    log_y = smoothclap_targets(local_audio, tag_text, gamma, beta, tau_a2a, tau_t2t)
    return soft_target_loss(audio, text, scale, log_y, reverse=beta > 0)


def label_smoothing(audio, text, scale, *, beta):
    return soft_target_loss(audio, text, scale, label_smoothing_targets(len(audio), beta), reverse=beta > 0)


def labels(audio, text, scale, labels, *, beta):
    return soft_target_loss(audio, text, scale, labels_targets(labels, beta), reverse=False)


def numerical_gradient(function, array, step=1e-6):
    """Central differences of a scalar function with respect to every entry of an array."""
    array = np.asarray(array, dtype=np.float64)
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient
