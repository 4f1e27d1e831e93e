"""What Flask-Security says, in our words, so that our catalogues translate it."""

from r2pflow.outputs.words import N_

MESSAGES = {
    "GENERIC_AUTHN_FAILED": (N_("This address and password do not fit together."), "error"),
    "GENERIC_RECOVERY": (N_("If this address is in the directory, a mail with a link is on its way."), "info"),
    "PASSWORD_RESET_REQUEST": (N_("If this address is in the directory, a mail with a link is on its way."), "info"),
    "PASSWORD_RESET_EXPIRED": (N_("This link is too old. Ask for a new one."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (N_("This link was used before, or is not complete. Ask for a new one."), "error"),
    "PASSWORD_RESET_NO_LOGIN": (N_("Your new password is set. Sign in with it."), "success"),
    "PASSWORD_CHANGE": (N_("Your new password is set."), "success"),
    "PASSWORD_IS_THE_SAME": (N_("This is the password that you have already."), "error"),
    "PASSWORD_INVALID_LENGTH": (N_("A password needs at least %(length)s characters."), "error"),
    "PASSWORD_NOT_PROVIDED": (N_("Please write your password."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (N_("The two passwords are not the same."), "error"),
    "INVALID_PASSWORD": (N_("This is not your present password."), "error"),
    "EMAIL_NOT_PROVIDED": (N_("Please write your e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (N_("This is no e-mail address. It should look like name@example.org."), "error"),
    "DISABLED_ACCOUNT": (N_("This account is closed. Write to the secretariat."), "error"),
    "LOGIN": (N_("Please sign in first."), "info"),
    "UNAUTHENTICATED": (N_("Please sign in first."), "info"),
    "UNAUTHORIZED": (N_("You may not do this."), "error"),
    "REAUTHENTICATION_REQUIRED": (N_("Please sign in once more to do this."), "info"),
}
