# %% [markdown]
# ## 6. The objective of a stationary point (20 points, marked by hand)
#
# Let $\theta$ be a Clarke stationary point of $\mathcal L$ for the loss
# $\frac12\|z-y\|^2$, $\beta>0$ and any width, with outputs $f=f_\theta(X)$.
#
# 1. Prove that $\|w_{1,k}\|=|w_{2,k}|$ for all $k$, and
#    $\beta\|w_2\|^2=(y-f)^Tf$.
# 2. Prove that
#    $$\mathcal L(\theta)=\tfrac12\|y\|^2-\tfrac12\|f\|^2.$$
# 3. Conclude: (a) the outputs of all stationary points lie in the ball with centre
#    $\frac12y$ and radius $\frac12\|y\|$; (b) a stationary point is a global optimum
#    over all widths if and only if no stationary point, of any width, has a longer
#    output vector; (c) a stationary point with objective $\frac12\|y\|^2$ has no
#    nonzero neuron.

# %% [markdown] proof="identity" points=20
# ### BEGIN SOLUTION
# **1.** Let $g=f-y$. By the exact form of the Clarke subdifferential (or its outer
# bound, the neuron-wise conditions), there are activations $\tilde D_k$, equal to 1 on
# active samples, 0 on inactive ones and in $[0,1]$ on ties, with
# $\beta w_{1,k}+w_{2,k}X^T\tilde D_kg=0$ and $\beta w_{2,k}+g^T(Xw_{1,k})_+=0$.
# Multiply the first equation by $w_{1,k}^T$: since $\tilde D_kXw_{1,k}=(Xw_{1,k})_+$
# (on ties both sides are 0), $\beta\|w_{1,k}\|^2=-w_{2,k}g^T(Xw_{1,k})_+$. Multiply
# the second by $w_{2,k}$: $\beta w_{2,k}^2=-w_{2,k}g^T(Xw_{1,k})_+$. So
# $\|w_{1,k}\|^2=w_{2,k}^2$, and the sum of the second over $k$ is
# $\beta\|w_2\|^2=-g^Tf=(y-f)^Tf$.
#
# **2.** By 1, $\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)=\beta\|w_2\|^2=(y-f)^Tf$. So
# $\mathcal L=\frac12\|f\|^2-y^Tf+\frac12\|y\|^2+y^Tf-\|f\|^2
# =\frac12\|y\|^2-\frac12\|f\|^2$.
#
# **3.** (a) $0\le\beta\|w_2\|^2=(y-f)^Tf$, that is $\|f\|^2-y^Tf\le0$, or
# $\|f-\frac12y\|^2\le\frac14\|y\|^2$. (b) By 2 the objective of a stationary point is
# the smaller the longer its output is. A global optimum exists (of some width), and it
# is a local minimum for its width, hence stationary. If $\theta$ is a global optimum,
# then no stationary point has a smaller objective, that is a longer output. If no
# stationary point has a longer output than $\theta$, then in particular a global
# optimum has none, so its objective is not smaller than that of $\theta$. (c) If
# $\mathcal L=\frac12\|y\|^2$, then $f=0$ by 2, so $w_2=0$ by 1 and then $w_{1,k}=0$ for
# all $k$.
#
# **Rubric**
#
# - 3 points: both neuron-wise conditions stated, with activations in [0, 1] on ties.
# - 4 points: balance, with the reason why ties do not matter in the product.
# - 2 points: the sum over the neurons.
# - 5 points: the identity for the objective.
# - 2 points: the ball.
# - 2 points: the longest output, with the reason why a global optimum is stationary.
# - 2 points: only the zero network.
# ### END SOLUTION
