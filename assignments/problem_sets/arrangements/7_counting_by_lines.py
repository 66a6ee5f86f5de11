# %% [markdown]
# ## 7. Counting by lines (20 points, marked by hand)
#
# Let $n\ge2$ planes through the origin of $\mathbb R^3$ be pairwise different, and let
# $\mathcal G$ be the set of all lines in which at least two of them meet. For a line
# $L\in\mathcal G$ let $m(L)\ge2$ be the number of planes that contain $L$.
#
# 1. Prove that the number of open cells is
#    $$2+2\sum_{L\in\mathcal G}(m(L)-1).$$
# 2. Suppose that not all planes contain a common line, so that $n\ge3$. Prove that
#    there are at least $4(n-1)$ open cells, and give for every $n\ge3$ an example with
#    equality.
#
# You may use the theorem of the book on deletion and restriction.

# %% [markdown] proof="lines" points=20
# ### BEGIN SOLUTION
# **1.** Induction on $n$. Two different planes meet in one line with $m=2$ and have 4
# cells: $2+2\cdot1=4$. Let a plane $H$ join an arrangement $\mathcal A$ of $n\ge2$
# planes. By deletion and restriction the number of cells grows by
# $\nu(\mathcal A|_H)$. The arrangement $\mathcal A|_H$ consists of lines through the
# origin of the plane $H$; if there are $g\ge1$ different ones, they cut $H$ into $2g$
# cells. So the left side grows by $2g$. On the right side only the lines of
# $\mathcal A|_H$ change. Let $L$ be one of them. If exactly one plane of $\mathcal A$
# contains $L$, then $L$ was not in $\mathcal G$ (it was no intersection of two planes)
# and now is, with $m(L)=2$: the sum grows by 1. If $k\ge2$ planes of $\mathcal A$
# contain $L$, then $m(L)$ grows from $k$ to $k+1$: the sum grows by 1 again. In all the
# sum grows by $g$ and the right side by $2g$.
#
# **2.** Induction on $n$. The planes contain no common line if and only if their
# normals have rank 3. For $n=3$ the normals are independent and there are
# $2^3=8=4\cdot2$ cells. Let $n>3$. Choose three independent normals and let $H$ be a
# plane with another normal. Without $H$ the rank is still 3, so there are at least
# $4(n-2)$ cells by the induction hypothesis. If all the other planes met $H$ in one
# and the same line, they would contain a common line, against rank 3. So
# $\mathcal A|_H$ has at least two lines and at least 4 cells: $4(n-2)+4=4(n-1)$.
#
# Equality: $n-1$ different planes through a common line $L_0$, and one plane $H$ that
# does not contain $L_0$. The lines are $L_0$ with $m=n-1$ and the $n-1$ different lines
# in which $H$ meets the others, with $m=2$. By 1 the number is
# $2+2(n-2)+2(n-1)=4(n-1)$. (For $n=3$, $L_0$ is the line of two planes.)
#
# **Rubric**
#
# - 2 points: induction set up, with a right first case.
# - 4 points: deletion and restriction used: the growth is the number of cells that the
#   lines cut on the new plane, twice their number.
# - 4 points: both kinds of lines on the new plane: new ones, and those whose number
#   of planes grows by one.
# - 2 points: first case of the lower bound.
# - 3 points: a plane is removed that keeps rank 3, with a reason why there is one.
# - 2 points: at least two lines remain on it, with a reason.
# - 3 points: an example with equality for every n, with its count.
# ### END SOLUTION
