# %% [markdown]
# ## 6. Orthogonal samples (20 points, marked by hand)
#
# Let the rows $x_1,\dots,x_n\ne0$ of $X$ be pairwise orthogonal, and let both labels
# occur.
#
# 1. Prove that
#    $$P^*=\Big(\sum_{y_i=1}\frac1{\|x_i\|^2}\Big)^{1/2}
#      +\Big(\sum_{y_i=-1}\frac1{\|x_i\|^2}\Big)^{1/2}$$
#    by a network and a dual point.
# 2. Suppose that at least two samples have the label 1. Give a KKT point of the
#    max-margin problem that is not globally optimal: its neurons, multipliers and
#    activations on ties, its cost, and a reason why it is not optimal.
# 3. The chapter proves that on orthogonally separable data every KKT point is optimal.
#    Which part of the definition do these data violate?

# %% [markdown] proof="orthogonal" points=20
# ### BEGIN SOLUTION
# **1.** Write $a=\big(\sum_{y_i=1}\|x_i\|^{-2}\big)^{1/2}$ and $b$ for the other class,
# $w_+=\sum_{y_i=1}x_i/\|x_i\|^2$ and $w_-$ in the same way. By orthogonality
# $x_j^Tw_+$ is 1 for $y_j=1$ and 0 for $y_j=-1$, and $\|w_+\|=a$, $\|w_-\|=b$. The
# network with the neurons $(w_+/\sqrt a,\sqrt a)$ and $(w_-/\sqrt b,-\sqrt b)$ has the
# outputs $y_i$ and the cost $a+b$. So $P^*\le a+b$.
#
# Let $\lambda_i=1/(a\|x_i\|^2)$ for $y_i=1$ and $-1/(b\|x_i\|^2)$ for $y_i=-1$, so that
# $y_i\lambda_i\ge0$. For $\|u\|\le1$ the negative terms may be left out:
# $$\lambda^T(Xu)_+\le\frac1a\sum_{y_i=1}\frac1{\|x_i\|}\,
# \Big(\frac{x_i^Tu}{\|x_i\|}\Big)_+
# \le\frac1a\,a\,\Big(\sum_{y_i=1}\Big(\frac{x_i^Tu}{\|x_i\|}\Big)^2\Big)^{1/2}\le1$$
# by the inequalities of Cauchy-Schwarz and Bessel; in the same way
# $\lambda^T(Xu)_+\ge-1$. So $M(\lambda)\le1$ and $P^*\ge y^T\lambda=a^2/a+b^2/b=a+b$.
#
# **2.** One neuron for each sample: $w_{1,i}=x_i/\|x_i\|^{3/2}$,
# $w_{2,i}=y_i/\|x_i\|^{1/2}$. It has the output $y_i$ on $x_i$ and 0 on the other
# samples, which are ties. With $\lambda_i=y_i/\|x_i\|$ and activation 0 on all ties,
# $w_{2,i}X^T\tilde D_i\lambda=w_{2,i}\lambda_ix_i=x_i/\|x_i\|^{3/2}=w_{1,i}$ and
# $\lambda^T(Xw_{1,i})_+=\lambda_i\|x_i\|^{1/2}=y_i/\|x_i\|^{1/2}=w_{2,i}$; all margins
# are 1. So it is a KKT point. Its cost is $\sum_i1/\|x_i\|$, where
# $\sum_{y_i=1}1/\|x_i\|>a$ since the square of a sum of at least two positive numbers
# is larger than the sum of their squares, and the other class costs at least $b$. So
# the cost exceeds $P^*$.
#
# **3.** Samples of one class must have positive inner products. Here they are 0, the
# limiting case; the inner products between the classes, which may be 0, are as they
# should be. So the strict inequality is needed.
#
# **Rubric**
#
# - 4 points: a separating network of the cost claimed, with its outputs on both
#   classes.
# - 3 points: a dual point with the right signs and the right value.
# - 4 points: its dual norm is at most 1, for both signs.
# - 5 points: neurons, multipliers and activations of the KKT point; both equations
#   checked.
# - 3 points: it is more expensive, with the strict inequality.
# - 1 point: the strict inequality within the classes.
# ### END SOLUTION
