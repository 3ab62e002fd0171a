//! The five steps, from the app to the token. `PC_TENANT_KEY` holds the key; `PC_BASE_URL` names a service of your
//! own. README.md shows this very file, and the tests run it.
#![allow(clippy::print_stdout, reason = "an example is to be seen")]

use pabbly_connect::{Client, ConnectionStatus, Error, ExposeSecret, Token};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let customer = client.customer("alice@example.com")?; // from your authenticated session

    // 1 + 2: find the app, make a hosted link for this customer
    let apps = client.list_apps().search("gmail").await?;
    let link = customer.create_request_link(&apps.items[0].id, "Work Gmail").await?;

    // 3: the customer connects on the hosted page
    println!("open {}", link.request_link);

    // 4: wait until the customer is done
    let connection = customer.wait_for_connection(&link.connection_id).await?;
    if connection.status != ConnectionStatus::Active {
        println!("{}: start over with a new link", connection.status);
        return Ok(());
    }

    // 5: a working credential, each time you act
    match customer.get_token(&link.connection_id).await {
        Ok(token) => act(&token),
        Err(Error::NeedsReconnection(_)) => println!("send the customer through the connect flow again"),
        Err(error) => return Err(error),
    }
    Ok(())
}

fn act(token: &Token) {
    match token.authorization() {
        Some(header) => println!("an Authorization header of {} bytes", header.expose_secret().len()),
        None => println!("fields: {:?}", token.fields), // prints the names, not the values
    }
}
